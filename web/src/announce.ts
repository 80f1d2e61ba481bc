// Says to a screen reader what changed without anybody asking: one polite live region, made once and never replaced.

const region = document.createElement('div');
region.className = 'unseen';
region.setAttribute('aria-live', 'polite');
document.body.append(region);

/// Has `text` read aloud when the reader is free. Words from outside must have been cleaned.
export function announce(text: string): void {
  region.textContent = text;
}
