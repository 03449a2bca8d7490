SELECT organization, tail FROM billing WHERE review_at <= ?1 ORDER BY review_at LIMIT 1
