"""What identity answers over HTTP: the endpoints of OAuth 2.1 and OpenID Connect, and the pages of the login."""
