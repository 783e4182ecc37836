-- A small shop. Prices are in hundredths of a crown.
CREATE TABLE goods (
  id INTEGER PRIMARY KEY, name TEXT, kind TEXT, price INTEGER, stock INTEGER, second INTEGER DEFAULT 0, about TEXT
);
INSERT INTO goods (id, name, kind, price, stock, second, about) VALUES
  (1, 'Apple vinegar, 1 l', 'larder', 340, 18, 0, 'From windfalls, two years in oak.'),
  (2, 'Barley, 2 kg', 'larder', 410, 30, 0, 'Pearled.'),
  (3, 'Beeswax candle', 'light', 275, 40, 0, 'Burns for nine hours.'),
  (4, 'Bowl, blue', 'clay', 1250, 9, 0, 'Holds a litre.'),
  (5, 'Bowl, blue, second choice', 'clay', 690, 4, 1, 'A speck in the glaze. Second choice is not taken back.'),
  (6, 'Bread tin', 'kitchen', 1480, 6, 0, 'Tinned steel, for a loaf of a kilogram.'),
  (7, 'Broom', 'house', 920, 11, 0, 'Rice straw, beech handle.'),
  (8, 'Butter dish', 'clay', 1090, 7, 0, 'With a lid.'),
  (9, 'Copper kettle', 'kitchen', 4450, 3, 0, 'Two litres, whistles.'),
  (10, 'Enamel kettle', 'kitchen', 2390, 0, 0, 'Two litres, whistles. Sold out until April.'),
  (11, 'Enamel kettle, second choice', 'kitchen', 1790, 2, 1, 'Two litres, whistles; a chip at the rim.'),
  (12, 'Flax towel', 'linen', 860, 25, 0, '50 by 80 cm.'),
  (13, 'Heather honey, 250 g', 'larder', 520, 14, 0, 'From the high moor.'),
  (14, 'Heather honey, 500 g', 'larder', 935, 8, 0, 'From the high moor.'),
  (15, 'Iron kettle', 'kitchen', 3280, 5, 0, 'Two litres. Does not whistle.'),
  (16, 'Jug, one litre', 'clay', 1390, 10, 0, 'Glazed inside and out.'),
  (17, 'Lamp oil, 1 l', 'light', 610, 22, 0, 'Burns clear.'),
  (18, 'Linen sheet', 'linen', 3150, 6, 0, '150 by 260 cm.'),
  (19, 'Oats, 2 kg', 'larder', 380, 30, 0, 'Rolled.'),
  (20, 'Oil lamp', 'light', 2760, 4, 0, 'Brass, with a glass.'),
  (21, 'Small steel kettle', 'kitchen', 1980, 6, 0, 'Half a litre, whistles.'),
  (22, 'Steel kettle', 'kitchen', 2950, 5, 0, 'Two litres, whistles.'),
  (23, 'Tin kettle', 'kitchen', 2140, 7, 0, 'A litre and a half. Does not whistle.'),
  (24, 'Travel kettle', 'kitchen', 2680, 2, 0, 'Two litres, whistles, folds flat. From a house that was cleared: used, not new.'),
  (25, 'Wick, 3 m', 'light', 190, 50, 0, 'For oil lamps.'),
  (26, 'Wool blanket', 'linen', 5200, 3, 0, 'Grey, 140 by 200 cm.');
CREATE TABLE customers (id INTEGER PRIMARY KEY, sign TEXT UNIQUE, name TEXT, street TEXT);
INSERT INTO customers VALUES
  (1, 'kit', 'Kit Low', '4 Mill Lane'), (2, 'ada', 'Ada Brook', '6 Mill Lane'), (3, 'tom', 'Tom Reed', '19 Dyke Road');
CREATE TABLE deliveries (code TEXT PRIMARY KEY, words TEXT, fee INTEGER, free_from INTEGER, day TEXT);
INSERT INTO deliveries VALUES
  ('cart', 'By cart', 290, 3000, 'Friday'), ('courier', 'By courier', 650, NULL, 'tomorrow'),
  ('stall', 'Fetch it at the stall', 0, NULL, 'tomorrow');
CREATE TABLE vouchers (
  code TEXT PRIMARY KEY, off INTEGER, least INTEGER, kind TEXT, until TEXT, holder INTEGER, listed INTEGER, words TEXT
);
INSERT INTO vouchers VALUES
  ('CLAY3', 300, 0, 'clay', '2026-03-31', NULL, 1, '3.00 off, when there is clay ware in the basket.'),
  ('SPRING5', 500, 3000, NULL, '2026-03-31', NULL, 1, '5.00 off, from 30.00 worth of goods.'),
  ('WINTER8', 800, 0, NULL, '2026-02-28', NULL, 1, '8.00 off any order.'),
  ('THANKS-ADA-9', 900, 0, NULL, '2026-06-30', 2, 0, '9.00 off any order.');
CREATE TABLE basket (customer INTEGER, goods INTEGER, pieces INTEGER, PRIMARY KEY (customer, goods));
CREATE TABLE basket_voucher (customer INTEGER PRIMARY KEY, code TEXT);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer INTEGER, placed_on TEXT, delivered_on TEXT, delivery TEXT, fee INTEGER,
  voucher TEXT, off INTEGER, total INTEGER
);
CREATE TABLE order_lines (order_id INTEGER, goods INTEGER, pieces INTEGER, price INTEGER);
INSERT INTO orders VALUES
  (1036, 1, '2026-02-05', '2026-02-07', 'cart', 290, NULL, 0, 2930),
  (1041, 1, '2026-02-18', '2026-02-20', 'cart', 0, NULL, 0, 4665),
  (1042, 2, '2026-02-26', NULL, 'cart', 290, NULL, 0, 3050),
  (1043, 3, '2026-02-27', '2026-02-27', 'stall', 0, NULL, 0, 920);
INSERT INTO order_lines VALUES
  (1036, 16, 1, 1390), (1036, 4, 1, 1250),
  (1041, 4, 2, 1250), (1041, 5, 1, 690), (1041, 14, 1, 935), (1041, 13, 1, 520),
  (1042, 20, 1, 2760), (1043, 7, 1, 920);
CREATE TABLE returns (
  id INTEGER PRIMARY KEY, order_id INTEGER, goods INTEGER, pieces INTEGER, reason TEXT, wish TEXT, handed_in TEXT
);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
INSERT INTO settings VALUES
  ('notice', 'The stall is closed on market days in LINDEN. Thank you for your patience.');
