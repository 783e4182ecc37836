"""Commands about what other people provide: packages to install, tools of servers to pin."""
