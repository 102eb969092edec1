-- What is live: `pg_dump --schema-only` of the shop's database.

CREATE TABLE public.users (
    id bigint NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    bio text,
    avatar_url text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_name_check CHECK ((btrim(name) <> ''::text))
);

ALTER TABLE public.users OWNER TO shop_owner;

COMMENT ON COLUMN public.users.name IS 'As on invoices';

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.orders (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    total integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT orders_total_check CHECK ((total >= 0))
);

ALTER TABLE public.orders OWNER TO shop_owner;

COMMENT ON COLUMN public.orders.total IS 'In cents';

ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

CREATE INDEX users_name_idx ON public.users USING btree (lower(name) text_pattern_ops);

CREATE INDEX orders_user_id_idx ON public.orders USING btree (user_id);

CREATE INDEX orders_total_idx ON public.orders USING btree (total DESC) WHERE (total > 0);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO shop_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.orders TO shop_service;
