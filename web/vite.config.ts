// How the page is built: one script, one style sheet, nothing inline, so that it works under a policy which forbids the rest.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['test/**/*.test.ts'], pool: 'threads', maxWorkers: 1, minWorkers: 1 },
});
