-- What `pg_dump --schema-only` writes, in short.

CREATE TABLE public.users (
    id bigint NOT NULL,
    name text NOT NULL
);

CREATE VIEW public.greetings AS
 SELECT ('Dear '::text || users.name) AS text
   FROM public.users;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
