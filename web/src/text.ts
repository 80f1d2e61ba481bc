// Makes a string that a stranger sent fit to be looked at. What is invisible, or reorders what stands around it, is shown by
// its code point instead; what is too long is cut, with the number of characters that are missing.

/// A run of characters: as they came (`odd: false`), or standing for something that cannot be shown (`odd: true`).
export interface Piece {
  text: string;
  odd: boolean;
}

const kOdd =
  /^(?:[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs})$/u;
const kMark = /^\p{M}$/u;
const kMarksInARow = 2;

/// The pieces to show for `value`, at most about `limit` characters of it.
export function clean(value: string, limit = 256): Piece[] {
  const characters = Array.from(value);
  const pieces: Piece[] = [];
  let shown = 0;
  let marks = 0;
  for (const [index, character] of characters.entries()) {
    if (shown >= limit) {
      add(pieces, { text: ` … ${characters.length - index} more characters`, odd: true });
      break;
    }
    marks = kMark.test(character) ? marks + 1 : 0;
    const piece = show(character, marks, isOuterSpace(characters, index));
    shown += piece.text.length;
    add(pieces, piece);
  }
  return pieces;
}

/// The same as one string, for titles and for what a screen reader says.
export function cleanText(value: string, limit = 256): string {
  return clean(value, limit)
    .map((piece) => piece.text)
    .join('');
}

function show(character: string, marks: number, outerSpace: boolean): Piece {
  const code = character.codePointAt(0) ?? 0;
  if (outerSpace) return { text: '‹space›', odd: true };
  if (kOdd.test(character) || marks > kMarksInARow) return { text: codePoint(code), odd: true };
  return { text: character, odd: false };
}

/// A space that a browser would swallow: at either end, or after another one.
function isOuterSpace(characters: string[], index: number): boolean {
  if (characters[index] !== ' ') return false;
  return index === 0 || index === characters.length - 1 || characters[index - 1] === ' ';
}

function codePoint(code: number): string {
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}

function add(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  if (last?.odd === piece.odd) last.text += piece.text;
  else pieces.push({ ...piece });
}
