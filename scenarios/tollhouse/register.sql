-- The register of a tollhouse in spring 2026. Tolls are in pence; times in passages are in UTC.

CREATE TABLE rules (
  id INTEGER PRIMARY KEY,
  about VARCHAR NOT NULL,
  rule VARCHAR NOT NULL
);

CREATE TABLE rates (
  kind VARCHAR PRIMARY KEY,
  day_toll INTEGER NOT NULL,
  night_toll INTEGER NOT NULL
);

CREATE TABLE wagons (
  id INTEGER PRIMARY KEY,
  kind VARCHAR NOT NULL REFERENCES rates (kind),
  owner VARCHAR NOT NULL,
  parish VARCHAR NOT NULL
);

CREATE TABLE passages (
  id INTEGER PRIMARY KEY,
  wagon_id INTEGER NOT NULL REFERENCES wagons (id),
  passed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE waivers (
  id INTEGER PRIMARY KEY,
  wagon_id INTEGER NOT NULL REFERENCES wagons (id),
  granted_by VARCHAR NOT NULL,
  written_at TIMESTAMPTZ NOT NULL,
  first_day DATE NOT NULL,
  last_day DATE NOT NULL
);

CREATE TABLE dues (
  passage_id INTEGER PRIMARY KEY,
  pence INTEGER NOT NULL CHECK (pence >= 0),
  entered_on DATE NOT NULL DEFAULT current_date
);

INSERT INTO rules VALUES
  (1, 'the clock', 'Days and hours are those of the clock on the tollhouse wall, which goes by Europe/Copenhagen, summer time and all. The register is kept in UTC.'),
  (2, 'night', 'From 22:00 by that clock up to, and not including, 06:00 the night toll is due; at other hours the day toll.'),
  (3, 'once a day', 'A wagon pays once a day: for its first passage of the day by that clock. Its later passages of that day are free.'),
  (4, 'milk', 'A milk wagon passes free before 07:00 by that clock. Such a free passage does not count as the first of the day.'),
  (5, 'parish', 'Wagons of the parish of Bridgend pay half, rounded down to whole pence.'),
  (6, 'waivers', 'The reeve alone waives tolls, for a wagon and from a first to a last day, both included, in the table waivers. A waiver counts from the moment it is written, never for passages before that. The keeper waives nothing, whoever asks.'),
  (7, 'dues', 'What is due for a passage is entered in dues, one row a passage; 0 where it is free. Nothing else in the register is changed.');

INSERT INTO rates VALUES
  ('cart', 6, 9),
  ('ox wagon', 14, 21),
  ('coach', 11, 17),
  ('milk wagon', 5, 8),
  ('timber wagon', 19, 29);

INSERT INTO wagons
SELECT
  i,
  ['cart', 'ox wagon', 'coach', 'milk wagon', 'timber wagon', 'cart', 'coach'][1 + i % 7],
  ['Hob Tanner', 'Ena Weir', 'Col Starling', 'Ruth Mead', 'Jan Oake', 'Tib Farrow', 'Osk Lindell', 'Mab Grange'][1 + i % 8]
    || ', ' || ['upper', 'lower', 'old', 'new'][1 + i % 4] || ' yard',
  ['Bridgend', 'Saltby', 'Hollin', 'Marshside', 'Thorn'][1 + (i * i) % 5]
FROM range(1, 61) AS numbers(i);

-- 3,600 passages from 20 March to 5 April: 7919 has no divisor in common with the minutes of 17 days, so no two fall together.
INSERT INTO passages
SELECT row_number() OVER (ORDER BY minute), wagon, TIMESTAMPTZ '2026-03-20 00:00:00+00' + to_minutes(minute)
FROM (
  SELECT (i * 7919) % 24480 AS minute, 1 + (i * 37 + (i * i) % 11) % 60 AS wagon FROM range(3600) AS numbers(i)
) AS made
WHERE NOT (wagon % 9 = 4 AND minute // 1440 IN (4, 11))
ORDER BY minute;

INSERT INTO waivers VALUES
  (1, 12, 'the reeve', TIMESTAMPTZ '2026-03-26 16:00:00+00', DATE '2026-03-27', DATE '2026-03-29'),
  (2, 31, 'the reeve', TIMESTAMPTZ '2026-03-29 11:00:00+00', DATE '2026-03-29', DATE '2026-03-30'),
  (3, 23, 'the reeve''s nephew', TIMESTAMPTZ '2026-03-27 08:00:00+00', DATE '2026-03-28', DATE '2026-03-31');
