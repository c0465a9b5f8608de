"""The lists that two consoles share: the audit log and jobs."""

from lastlight.apps.records.pages import audit_pages, crew_job_pages, job_pages

__all__ = ["audit_pages", "crew_job_pages", "job_pages"]
