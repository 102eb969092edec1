CREATE SCHEMA app;
CREATE TYPE app.status AS ENUM ('new', 'paid');
CREATE DOMAIN public.email AS text CONSTRAINT email_check CHECK ((VALUE ~~ '%@%'::text));
CREATE DOMAIN public.label AS text;

CREATE TABLE public.users (
    id bigint NOT NULL,
    name text NOT NULL,
    nick text,
    greeting text DEFAULT 'hello'::text,
    contact public.email,
    label public.label,
    bio text,
    avatar_url text,
    age integer,
    level integer DEFAULT 1,
    created_at timestamp without time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.orders (
    id integer NOT NULL,
    user_id bigint,
    total integer NOT NULL,
    discount integer,
    code text,
    note jsonb,
    status app.status DEFAULT 'new'::app.status NOT NULL
);

CREATE TABLE public.tokens (
    id uuid NOT NULL,
    value text NOT NULL
);

CREATE TABLE app.events (
    kind text NOT NULL,
    happened date
);

CREATE SEQUENCE public.orders_id_seq AS integer OWNED BY public.orders.id;
ALTER TABLE ONLY public.orders ALTER COLUMN id SET DEFAULT nextval('public.orders_id_seq'::regclass);

ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tokens ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
CREATE UNIQUE INDEX users_name_idx ON public.users USING btree (lower(name));
CREATE INDEX users_age_level_idx ON public.users USING btree (age, level);
