-- An event of the card provider names a payment and not its business: the payment is looked for among those of all.
create index payments_by_id on payments (id);
