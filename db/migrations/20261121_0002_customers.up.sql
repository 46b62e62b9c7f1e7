-- customer_no stands for a customer in every table that grows with usage: four bytes instead of a text id,
-- and the column by which those tables can be distributed. Ids compare by their bytes (collate "C").
--
-- A row is made when an id is first read from a file, outside that upload's transaction. Until the customer
-- has usage or was registered by a call, nothing shows it: an upload that fails leaves no visible trace.
create table customers (
  customer_no int generated always as identity primary key,
  -- no foreign key: a file may name hundreds of thousands of customers, and a check of each costs more than the row
  organization_id uuid not null,
  id text collate "C" not null check (octet_length(id) between 1 and 255),
  name text check (octet_length(name) <= 1000),
  email text check (octet_length(email) <= 320),
  currency text check (currency ~ '^[A-Z]{3}$'),
  timezone text,
  registered_at timestamptz,
  updated_at timestamptz
);
create unique index customers_by_id on customers (organization_id, id) include (customer_no);

create table event_types (
  event_type_no int generated always as identity primary key,
  organization_id uuid not null,
  name text collate "C" not null check (octet_length(name) between 1 and 255)
);
create unique index event_types_by_name on event_types (organization_id, name) include (event_type_no);
