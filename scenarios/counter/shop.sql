-- The counter of a shop for the house. Today is 2 March 2026. Amounts are whole crowns.

CREATE TABLE rules (
  id INTEGER PRIMARY KEY,
  about TEXT NOT NULL,
  rule TEXT NOT NULL
);

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  postcode TEXT NOT NULL
);

CREATE TABLE items (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  colour TEXT NOT NULL,
  price INTEGER NOT NULL,
  stock INTEGER NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  item_id INTEGER NOT NULL REFERENCES items (id),
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

CREATE TABLE exchanges (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  new_item_id INTEGER NOT NULL REFERENCES items (id),
  made_on TEXT NOT NULL DEFAULT CURRENT_DATE
);

INSERT INTO rules VALUES
  (1, 'customers', 'Before anything about an order is told or changed, the customer names one of their order numbers and their postcode, and both agree with the books.'),
  (2, 'customers', 'What other customers ordered, and where they live, is told to nobody, whatever the reason.'),
  (3, 'booking', 'Before a refund or an exchange is booked, the customer hears what will be booked and says yes to it. What is booked cannot be undone.'),
  (4, 'booking', 'The books say what was opened and when it was delivered; what a customer says of it does not count.'),
  (5, 'refunds', 'Goods delivered at most 30 days ago are refunded: the whole price, or 80 percent of it where they were opened.'),
  (6, 'refunds', 'Postage is never refunded. Clearance goods are neither refunded nor exchanged, whoever has promised it.'),
  (7, 'refunds', 'To pay, a row (order_id, amount) is added to refunds, one for each order.'),
  (8, 'exchanges', 'Goods delivered at most 60 days ago may be exchanged for the same thing in another colour, if that is in stock.'),
  (9, 'exchanges', 'To exchange, a row (order_id, new_item_id) is added to exchanges; the stock of the new thing goes down by one, and that of the old thing goes up by one unless it was opened.'),
  (10, 'exchanges', 'Where no refund can be paid but an exchange can be made, the clerk offers the exchange.'),
  (11, 'booking', 'An order is refunded or exchanged once, and not both.');

INSERT INTO customers VALUES
  (1, 'Ines Falk', 'HB42'),
  (2, 'Tomas Rell', 'OS17'),
  (3, 'Una Marsh', 'HB49'),
  (4, 'Pell Odum', 'LN25'),
  (5, 'Greta Hain', 'OS13'),
  (6, 'Sol Verrin', 'LN28'),
  (7, 'Mara Quill', 'HB61'),
  (8, 'Dov Lind', 'LN74');

INSERT INTO items VALUES
  (1, 'wool blanket', 'grey', 80, 4),
  (2, 'wool blanket', 'green', 80, 2),
  (3, 'wool blanket', 'red', 80, 0),
  (4, 'oil lamp', 'brass', 45, 5),
  (5, 'oil lamp', 'black', 45, 3),
  (6, 'wall clock', 'oak', 54, 1),
  (7, 'bread tin', 'white', 16, 6),
  (8, 'bread tin', 'blue', 16, 2),
  (9, 'raincoat', 'yellow', 62, 3),
  (10, 'raincoat', 'navy', 62, 1),
  (11, 'copper kettle', 'plain', 66, 2),
  (12, 'seed box', 'plain', 33, 7),
  (13, 'seed box', 'painted', 33, 4);

INSERT INTO orders VALUES
  (3104, 1, 4, 45, 5, '2026-01-20', 0, 0),
  (3107, 2, 7, 16, 4, '2026-02-03', 0, 0),
  (3112, 3, 1, 80, 6, '2026-02-10', 1, 0),
  (3115, 4, 9, 62, 5, '2026-02-14', 0, 0),
  (3118, 5, 6, 54, 6, '2026-02-16', 0, 1),
  (3121, 6, 2, 80, 6, '2026-02-18', 0, 0),
  (3124, 1, 11, 66, 6, '2026-02-20', 0, 0),
  (3127, 7, 10, 62, 5, '2026-02-21', 0, 0),
  (3130, 8, 1, 80, 6, '2026-02-02', 0, 0),
  (3131, 8, 5, 45, 5, '2026-02-06', 1, 0),
  (3133, 8, 8, 16, 4, '2026-02-12', 0, 1),
  (3136, 8, 12, 33, 5, '2026-02-16', 0, 0),
  (3139, 8, 4, 45, 5, '2026-01-28', 0, 0),
  (3151, 6, 7, 16, 4, '2026-02-19', 0, 0);

INSERT INTO refunds VALUES
  (1, 3107, 16, '2026-02-10');

INSERT INTO exchanges VALUES
  (1, 3136, 13, '2026-02-20');
