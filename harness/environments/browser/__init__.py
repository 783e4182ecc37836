"""The kind `browser`: Chromium on a site that is served for the trial alone.

A site's own Python needs `Visit` and `Reply`.
"""

from harness.environments.browser.environment import Browser
from harness.environments.browser.options import BrowserOptions, BrowserSetup
from harness.environments.browser.serving import Reply, Request
from harness.environments.browser.site import Site, Visit, read_site

__all__ = ["Browser", "BrowserOptions", "BrowserSetup", "Reply", "Request", "Site", "Visit", "read_site"]
