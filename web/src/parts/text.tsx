// Shows a string from outside: cleaned, apart from the direction of what stands around it, and the odd marked as such.

import { clean } from '../text';

export function Text({ value, limit }: { value: string; limit?: number }) {
  return (
    <bdi>
      {clean(value, limit).map((piece, index) =>
        piece.odd ? (
          <span key={index} class="odd">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}
