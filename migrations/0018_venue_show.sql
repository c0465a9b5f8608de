-- Banners have an order and may show an image of their venue; images that never came or never became ready are cleared away.

alter table venue_images add constraint venue_images_of_venue unique (tenant_id, venue_id, id);
create index venue_images_unready on venue_images (tenant_id, created_at, id) where state <> 'ready' and removed_at is null;

alter table venue_banners
    add column place integer not null default 0,
    add column image_id uuid,
    add constraint venue_banners_image_of_venue foreign key (tenant_id, venue_id, image_id)
        references venue_images (tenant_id, venue_id, id);
comment on column venue_banners.place is 'the lower, the earlier guests see it';
-- What guests see of a venue is read past their own policies, which hide the images of others.
grant select on venue_banners to lastlight_system;
create policy system_reads on venue_banners for select to lastlight_system using (true);
