// What the linter asks of the page. Markup from strings is forbidden by name: every string a host sends is hostile.

import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

const kMarkup = ['innerHTML', 'outerHTML', 'srcdoc'].map((property) => ({
  property,
  message: 'Markup is never made from a string.',
}));
const kMarkupCalls = ['insertAdjacentHTML', 'setHTMLUnsafe', 'createContextualFragment', 'write', 'writeln'];

export default defineConfig({ ignores: ['dist', 'node_modules'] }, js.configs.recommended, {
  files: ['**/*.ts', '**/*.tsx'],
  extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
  languageOptions: { parserOptions: { projectService: true } },
  rules: {
    'no-restricted-properties': [
      'error',
      ...kMarkup,
      ...kMarkupCalls.map((property) => ({ property, message: 'Markup is never made from a string.' })),
    ],
    'no-restricted-syntax': [
      'error',
      { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'No markup from strings.' },
      { selector: 'JSXAttribute[name.name="style"]', message: 'Style belongs into the style sheet.' },
    ],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
  },
});
