"""What plans allow: asked before an upload is accepted, kept while it is under way, counted by the bill."""
