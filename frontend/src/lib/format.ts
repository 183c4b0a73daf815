/** Numbers, durations and instants in words. English with a 24-hour clock everywhere, so that two people at one screen read the same. */

const LOCALE = 'en-GB'
const NONE = '–'

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 })
const oneDecimal = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 })
const percent = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 })

export function formatCount(value: number | null | undefined): string {
  return value == null ? NONE : whole.format(value)
}

export function formatDecimal(value: number | null | undefined): string {
  return value == null ? NONE : oneDecimal.format(value)
}

export function formatShare(part: number, all: number): string {
  return all > 0 ? percent.format(part / all) : NONE
}

/** `48 s`, `4 m 12 s`, `1 h 5 m`, `2 d 3 h`: the two largest units, of seconds rounded to whole ones. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds == null) return NONE
  if (seconds > 0 && seconds < 0.95) return `${oneDecimal.format(Math.max(seconds, 0.1))} s`
  const total = Math.round(seconds)
  const units = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'm'],
    [total % 60, 's'],
  ] as const
  const first = units.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0 s'
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

/** One unit only, for ages: `8 s`, `4 min`, `3 h`, `2 d`. */
export function formatAge(seconds: number): string {
  const age = Math.max(0, seconds)
  if (age < 60) return `${Math.floor(age)} s`
  if (age < 3600) return `${Math.floor(age / 60)} min`
  if (age < 172_800) return `${Math.floor(age / 3600)} h`
  return `${Math.floor(age / 86_400)} d`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  return `${oneDecimal.format(bytes / 1000 ** power)} ${units[power - 1]}`
}

const STYLES = {
  time: { hour: '2-digit', minute: '2-digit' },
  seconds: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  moment: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  full: {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'shortOffset',
  },
  dated: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  year: { year: 'numeric' },
  day: { day: 'numeric', month: 'short', year: 'numeric' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

export type InstantStyle = keyof typeof STYLES

const formatters = new Map<string, Intl.DateTimeFormat>()

export function formatInstant(
  instant: string | number | null | undefined,
  zone: string,
  style: InstantStyle = 'minute',
): string {
  if (instant == null) return NONE
  const key = `${zone} ${style}`
  let formatter = formatters.get(key)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hourCycle: 'h23', ...STYLES[style] })
    formatters.set(key, formatter)
  }
  return formatter.format(typeof instant === 'number' ? instant : new Date(instant))
}

/** The year is said only where it is not the present one. */
export function formatSpan(from: number, to: number, zone: string, now = Date.now()): string {
  const year = (instant: number) => formatInstant(instant, zone, 'year')
  const style = year(from) === year(now) && year(to) === year(now) ? 'minute' : 'dated'
  return `${formatInstant(from, zone, style)} – ${formatInstant(to, zone, style)}`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
