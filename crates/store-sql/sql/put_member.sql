-- Whoever is invited again never loses a role.
INSERT INTO member (organization, account, role) VALUES (?1, ?2, ?3)
ON CONFLICT (organization, account) DO UPDATE SET
    role = CASE WHEN excluded.role > member.role THEN excluded.role ELSE member.role END
