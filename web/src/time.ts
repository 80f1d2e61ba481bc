// Times in words. Pure: the caller brings the clock; times are milliseconds since 1970.

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

/// RFC 3339 to milliseconds; null for what is no time.
export function parseTime(text: string | null | undefined): number | null {
  if (typeof text !== 'string') return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

/// How long ago, and from yesterday on the day: "just now", "3 min ago", "yesterday, 06:12", "24 Nov, 06:12".
export function ago(time: number, now: number): string {
  const age = now - time;
  if (age < -kMinute) return dateTime(time, now);
  if (age < 45 * kSecond) return 'just now';
  if (age < kHour) return `${Math.max(1, Math.round(age / kMinute))} min ago`;
  if (age < 12 * kHour) return `${Math.floor(age / kHour)} h ago`;
  return dateTime(time, now);
}

/// The local date and time, as short as it can be without being mistaken.
export function dateTime(time: number, now: number): string {
  const date = new Date(time);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const days = calendarDays(now) - calendarDays(time);
  if (days === 0) return `today, ${clock}`;
  if (days === 1) return `yesterday, ${clock}`;
  if (days === -1) return `tomorrow, ${clock}`;
  const month = date.toLocaleString('en-GB', { month: 'short' });
  const year = date.getFullYear() === new Date(now).getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${month}${year}, ${clock}`;
}

/// What is left, as a clock that runs down: "9:05", "1:02:00"; never below "0:00".
export function countdown(left: number): string {
  const seconds = Math.max(0, Math.ceil(left / kSecond));
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  const tail = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

/// A length of time in its two greatest units: "40 s", "1 min 10 s", "3 days 4 h".
export function duration(length: number): string {
  const units: [string, number][] = [
    ['day', kDay],
    ['h', kHour],
    ['min', kMinute],
    ['s', kSecond],
  ];
  const first = units.findIndex(([, size]) => length >= size);
  if (first < 0) return '0 s';
  let rest = length;
  const words = units.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? '' : `${count} ${name}${name === 'day' && count > 1 ? 's' : ''}`;
  });
  return words.filter(Boolean).join(' ');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function calendarDays(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / kDay;
}
