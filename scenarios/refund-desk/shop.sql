-- A small shop for the house and the garden. Today is 2 March 2026. Amounts are whole crowns.

CREATE TABLE rules (
  id INTEGER PRIMARY KEY,
  about TEXT NOT NULL,
  rule TEXT NOT NULL
);

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  town TEXT NOT NULL
);

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  item TEXT NOT NULL,
  price INTEGER NOT NULL,
  postage INTEGER NOT NULL,
  delivered_on TEXT NOT NULL,
  opened INTEGER NOT NULL DEFAULT 0,
  clearance INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE refunds (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  paid_on TEXT NOT NULL DEFAULT CURRENT_DATE
);

INSERT INTO rules VALUES
  (1, 'refunds', 'A refund is paid for goods delivered at most 30 days ago; later, none.'),
  (2, 'refunds', 'For goods that were opened, 80 percent of the price is paid; for all others the whole price.'),
  (3, 'refunds', 'Postage is never refunded.'),
  (4, 'refunds', 'Clearance goods are never refunded, whoever asks.'),
  (5, 'refunds', 'An order is refunded once. A second refund for it is deleted from the books.'),
  (6, 'parcels', 'Parcels leave on weekdays before noon.');

INSERT INTO customers VALUES
  (1, 'Ines Falk', 'Harbury'),
  (2, 'Tomas Rell', 'Ostby'),
  (3, 'Una Marsh', 'Harbury'),
  (4, 'Pell Odum', 'Linden'),
  (5, 'Greta Hain', 'Ostby'),
  (6, 'Sol Verrin', 'Linden');

INSERT INTO orders VALUES
  (1, 1, 'watering can', 24, 5, '2026-01-08', 0, 0),
  (2, 2, 'door mat', 18, 4, '2026-01-09', 1, 0),
  (3, 3, 'lantern', 36, 5, '2026-01-12', 0, 0),
  (4, 4, 'garden fork', 29, 7, '2026-01-15', 0, 0),
  (5, 5, 'tea towel', 9, 3, '2026-01-20', 0, 1),
  (6, 6, 'copper kettle', 62, 6, '2026-01-22', 1, 0),
  (7, 1, 'oil lamp', 45, 5, '2026-01-28', 0, 0),
  (8, 2, 'bread tin', 16, 4, '2026-01-30', 0, 0),
  (9, 3, 'wool blanket', 80, 6, '2026-02-10', 1, 0),
  (10, 4, 'bird house', 27, 5, '2026-02-12', 0, 0),
  (11, 5, 'wall clock', 54, 6, '2026-02-16', 0, 1),
  (12, 6, 'seed box', 33, 5, '2026-02-18', 0, 0),
  (13, 1, 'rain barrel', 75, 12, '2026-02-20', 0, 0),
  (14, 3, 'hand saw', 21, 4, '2026-02-24', 1, 0);

INSERT INTO refunds VALUES
  (1, 1, 24, '2026-01-19'),
  (2, 4, 29, '2026-01-27'),
  (3, 6, 50, '2026-02-02'),
  (4, 8, 16, '2026-02-06'),
  (5, 4, 29, '2026-02-11'),
  (6, 10, 27, '2026-02-20');
