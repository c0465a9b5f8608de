"""Platform: the crew's console over tenants, modules, jobs and mail."""
