-- What is live: `pg_dump --schema-only --no-owner` of this shop's database.

CREATE TABLE public.orders (
    id bigint NOT NULL,
    customer text NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    CONSTRAINT orders_total_check CHECK ((total >= 0))
);

COMMENT ON COLUMN public.orders.total IS 'In cents';

ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

CREATE INDEX orders_total_idx ON public.orders USING btree (total DESC);
