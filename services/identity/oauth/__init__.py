"""OAuth 2.1 and OpenID Connect: Authlib decides over what was loaded, and its decision is committed at once."""
