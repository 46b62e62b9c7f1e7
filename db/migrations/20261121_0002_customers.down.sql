drop table event_types, customers;
