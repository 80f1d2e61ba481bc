-- The gateway's database as its first version made it (schema 1), with three requests and their audit log. NOW is the time
-- in milliseconds since 1970. The secret is sealed under the master key of gateway_upgrade.py.
CREATE TABLE zkv_schema (version INTEGER NOT NULL);
INSERT INTO zkv_schema VALUES (1);
CREATE TABLE zkv_request (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'released', 'acknowledged',
    'denied', 'expired', 'cancelled', 'superseded')),
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    pin_mac TEXT NOT NULL,
    wrong_pins INTEGER NOT NULL,
    token_hash TEXT,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL);
CREATE INDEX zkv_request_by_time ON zkv_request (created_at);
CREATE INDEX zkv_request_open ON zkv_request (created_at)
    WHERE state IN ('pending', 'approved');
CREATE INDEX zkv_request_by_token ON zkv_request (token_hash, created_at)
    WHERE token_hash IS NOT NULL;
CREATE TABLE zkv_audit (
    number BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL);
CREATE TABLE zkv_wrong_pin (at BIGINT NOT NULL);
CREATE INDEX zkv_wrong_pin_by_time ON zkv_wrong_pin (at);
CREATE TABLE zkv_message (
    message TEXT NOT NULL PRIMARY KEY,
    outcome TEXT NOT NULL,
    at BIGINT NOT NULL);
CREATE TABLE zkv_secret (
    name TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    changed_at BIGINT NOT NULL);
INSERT INTO zkv_request VALUES ('N99MS20E59', 'acknowledged', '127.0.1.1', NOW, NOW + 600000, 'e3be772630d8626d173523c747d2224a44dee5ab4fe6d67baab2f31085aa5c3c', 0, NULL, 'console:uid 0', '');
INSERT INTO zkv_request VALUES ('ZYA18YQJQN', 'denied', '127.0.1.2', NOW, NOW + 600000, 'ba1ffb5402949a85326884c1ba2a72ac4414d0b24da2dc53fe18187060575fdb', 2, NULL, 'console:uid 0', 'not mine');
INSERT INTO zkv_request VALUES ('34MHKF3H88', 'pending', '127.0.1.3', NOW, NOW + 600000, '71b9807cc53ea97360ee3fbe1f08904f83c1fe14b94e1ba1d82e1f7759b65b64', 1, '8a652abf7512959a7ecf7abe32a2bb4634c0b03fc93008b0365ed67933bff00c', '', '');
INSERT INTO zkv_audit VALUES (1, 1796034871021, 'gateway.start', '', 'gateway', '', '0000000000000000000000000000000000000000000000000000000000000000', '54163bd7690269c08013d160ca551b51d60fedd40714fadc00aa87720c2a1445');
INSERT INTO zkv_audit VALUES (2, 1796034871152, 'request.ask', 'N99MS20E59', '127.0.1.1', '', '54163bd7690269c08013d160ca551b51d60fedd40714fadc00aa87720c2a1445', '2ab3e953426e1ae576845f14535b623ad78e4279e34dd0534dc3c77e222dbb62');
INSERT INTO zkv_audit VALUES (3, 1796034871167, 'notice.sent', 'N99MS20E59', 'gateway', 'console', '2ab3e953426e1ae576845f14535b623ad78e4279e34dd0534dc3c77e222dbb62', '8295203e2bb42ae082239d4c4db3fa6eb00a77cf2ea5b4b3e12123dfb439d913');
INSERT INTO zkv_audit VALUES (4, 1796034871362, 'request.approve', 'N99MS20E59', 'console:uid 0', '', '8295203e2bb42ae082239d4c4db3fa6eb00a77cf2ea5b4b3e12123dfb439d913', '147792a7c6a905ccb991cc10c099bc1741e4df73f0c88e34cfd9e5f0d977c9d5');
INSERT INTO zkv_audit VALUES (5, 1796034871377, 'request.release', 'N99MS20E59', 'gateway', '', '147792a7c6a905ccb991cc10c099bc1741e4df73f0c88e34cfd9e5f0d977c9d5', '88f09cca215757d5e45dcae1930917d476ce32e76e29125ef179966f335c3bab');
INSERT INTO zkv_audit VALUES (6, 1796034871385, 'request.acknowledge', 'N99MS20E59', '127.0.1.1', '', '88f09cca215757d5e45dcae1930917d476ce32e76e29125ef179966f335c3bab', 'a0a2486c436607890ac5aa3094d0799194ebca40dc32bb904e0b2e4bdb3a4b9e');
INSERT INTO zkv_audit VALUES (7, 1796034871458, 'request.ask', 'ZYA18YQJQN', '127.0.1.2', '', 'a0a2486c436607890ac5aa3094d0799194ebca40dc32bb904e0b2e4bdb3a4b9e', 'f133eb30b38a44fc9da95cd0596355a8f0035d3a8f36ee9800dbf1356284c53c');
INSERT INTO zkv_audit VALUES (8, 1796034871464, 'notice.sent', 'ZYA18YQJQN', 'gateway', 'console', 'f133eb30b38a44fc9da95cd0596355a8f0035d3a8f36ee9800dbf1356284c53c', '83e63e709860253fb5b31227c08f2835b63641206c2553a0c5973f79550db086');
INSERT INTO zkv_audit VALUES (9, 1796034871669, 'request.deny', 'ZYA18YQJQN', 'console:uid 0', 'not mine', '83e63e709860253fb5b31227c08f2835b63641206c2553a0c5973f79550db086', 'cc5796dabe9a4db656de593f8955c72629505fdee2ae9353e1b5941be5482894');
INSERT INTO zkv_audit VALUES (10, 1796034871751, 'request.ask', '34MHKF3H88', '127.0.1.3', '', 'cc5796dabe9a4db656de593f8955c72629505fdee2ae9353e1b5941be5482894', '1d1b62a8888ba2968967d238b5aec035d267d9929531484fa6b88b86edd5b766');
INSERT INTO zkv_audit VALUES (11, 1796034871756, 'notice.sent', '34MHKF3H88', 'gateway', 'console', '1d1b62a8888ba2968967d238b5aec035d267d9929531484fa6b88b86edd5b766', '7a9669b8182e06cfa133ce6075f7e37c18d8f469edfa1499eb3d2b4f901c708a');
INSERT INTO zkv_audit VALUES (12, 1796034871768, 'gateway.stop', '', 'gateway', '', '7a9669b8182e06cfa133ce6075f7e37c18d8f469edfa1499eb3d2b4f901c708a', '0a8541161e2293fc6a6e234d4a54fa8ffef0f390948ccb4691cf229ab22e5062');
INSERT INTO zkv_wrong_pin VALUES (NOW);
INSERT INTO zkv_message VALUES ('SM1', 'approved', NOW);
INSERT INTO zkv_secret VALUES ('repository-key', '4ebacf019c2f20ff34baa5b2d80a02fc08f2fb19c27d84f1fb88d41e3c459fd845e9d1bed7346a20174b645ef1f1791f05fd14d5a948123aaac5e1be62c20ebd42c089a212d14bf575eecb52dc6919f9f9cd9762', 1796034870762);
