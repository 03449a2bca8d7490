-- Whoever is invited again never loses a role.
INSERT INTO member (organization, account, role) VALUES (?1, ?2, ?3)
ON CONFLICT DO UPDATE SET role = max(role, excluded.role)
