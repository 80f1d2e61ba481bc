// The approval page, as people use it. One process and one browser: an invite serves once.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';

import { looks } from './looks.mjs';
import { launch, Person } from './person.mjs';
import { deciding } from './deciding.mjs';
import { hostile } from './hostile.mjs';
import { people } from './people.mjs';
import { push } from './push.mjs';
import { recovery } from './recovery.mjs';
import { thieves } from './thieves.mjs';
import { totp } from './totp.mjs';
import { openWorld } from './world.mjs';

describe('the approval page', () => {
  /// Filled before the tests: the gateway, the browser, and Anna, who owns the gateway.
  const scene = {};

  before(async () => {
    scene.world = await openWorld();
    scene.browser = await launch();
    scene.anna = await Person.open(scene.browser, scene.world);
    await scene.anna.register(scene.world.invite, 'Anna’s phone');
  });

  after(async () => {
    await scene.paula?.context.close();
    await scene.browser?.close();
    await scene.world?.close();
  });

  afterEach(() => assert.deepEqual(scene.anna.faults, []));

  people(scene);
  recovery(scene);
  totp(scene);
  deciding(scene);
  push(scene);
  looks(scene);
  hostile(scene);
  thieves(scene);
});
