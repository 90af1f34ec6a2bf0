"""One agency's stack: a project for each of its systems, and all that the project may have, hold, read and share.

What an agency holds is made in its project's name by the system's own service user, never by Pulumi's administrator.
Nothing here looks up the cloud, and nothing says where a VM runs.
"""
