// The few signs the page uses, drawn in the colour of the text around them. Always beside words, so never read aloud.

const kShapes = {
  requests: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  history: 'M4 12a8 8 0 1 0 2.5-5.8M4 4v4h4M12 8v4l3 2',
  hosts: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  passkeys: 'M8 19a5 5 0 1 1 4.6-7H21v4h-2v3h-3v-3h-3.4A5 5 0 0 1 8 19zM8 14h.01',
  people:
    'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-7 7-7s7 3 7 7M16 3.5a4 4 0 0 1 0 7M18 14.5c2.5 1 4 3.5 4 6.5',
  check: 'M5 13l4.5 4.500L19 7',
  cross: 'M6 6l12 12M18 6L6 18',
  look: 'M12 4l9.5 16.500h-19zM12 10v4.500M12 17.500h.01',
  lost: 'M3 3l18 18M5 12.500a10 10 0 0 1 4-2.400M2 9a15 15 0 0 1 4.5-2.700M19 12.500a10 10 0 0 0-3-2M22 9A15 15 0 0 0 11 5.100M8.5 16a5 5 0 0 1 7 0M12 19.500h.01',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
};

export type Shape = keyof typeof kShapes;

export function Icon({ shape }: { shape: Shape }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={kShapes[shape]} />
    </svg>
  );
}

/// The project's sign: a disk with a keyhole.
export function Mark() {
  return <img class="mark" src="/icons/icon.svg" width="64" height="64" alt="" />;
}
