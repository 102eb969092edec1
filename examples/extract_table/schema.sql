-- What is live: `pg_dump --schema-only --no-owner` of this shop's database.

CREATE TABLE public.addresses (
    id bigint NOT NULL,
    street text NOT NULL,
    country text NOT NULL,
    country_code text NOT NULL,
    CONSTRAINT country_code_is_short CHECK ((length(country_code) = 2))
);

ALTER TABLE public.addresses ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.addresses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.addresses
    ADD CONSTRAINT addresses_pkey PRIMARY KEY (id);
