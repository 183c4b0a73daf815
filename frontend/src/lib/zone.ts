/** Wall-clock arithmetic in IANA zones on top of Intl: instants are epoch milliseconds. */

export interface WallTime {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  let found = formatters.get(zone)
  if (!found) {
    found = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formatters.set(zone, found)
  }
  return found
}

export function isTimeZone(zone: string): boolean {
  try {
    formatter(zone)
    return true
  } catch {
    return false
  }
}

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

export function toWall(instant: number, zone: string): WallTime {
  const parts: Record<string, number> = {}
  for (const part of formatter(zone).formatToParts(instant)) parts[part.type] = Number(part.value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

function asUtc(wall: WallTime): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second)
}

export function offsetMinutes(instant: number, zone: string): number {
  return Math.round((asUtc(toWall(instant, zone)) - Math.floor(instant / 1000) * 1000) / 60_000)
}

/** The instant at which clocks in `zone` show `wall`: of a repeated time the first, of a skipped time the moment after the skip. */
export function fromWall(wall: WallTime, zone: string): number {
  const target = asUtc(wall)
  const day = 86_400_000
  const candidates = [target - day, target + day].map((near) => target - offsetMinutes(near, zone) * 60_000)
  const exact = candidates.filter((instant) => asUtc(toWall(instant, zone)) === target)
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates)
}

/** Midnight of the day that is `days` after the day of `instant`. */
export function startOfDay(instant: number, zone: string, days = 0): number {
  const wall = toWall(instant, zone)
  const moved = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + days))
  return fromWall(
    {
      year: moved.getUTCFullYear(),
      month: moved.getUTCMonth() + 1,
      day: moved.getUTCDate(),
      hour: 0,
      minute: 0,
      second: 0,
    },
    zone,
  )
}

/** `Asia/Jakarta, UTC+7` */
export function zoneLabel(zone: string, at: number): string {
  if (zone === 'UTC') return 'UTC'
  const offset = offsetMinutes(at, zone)
  const hours = Math.floor(Math.abs(offset) / 60)
  const minutes = Math.abs(offset) % 60
  const sign = offset < 0 ? '−' : '+'
  return `${zone}, UTC${sign}${hours}${minutes ? `:${String(minutes).padStart(2, '0')}` : ''}`
}

/** `10:00 in the file is 03:00 UTC`, of a day in winter */
export function zoneExample(zone: string): string {
  const instant = fromWall({ year: 2025, month: 1, day: 15, hour: 10, minute: 0, second: 0 }, zone)
  return `10:00 in the file is ${toLocalInput(instant, 'UTC').slice(-5)} UTC`
}

/** The value of an `<input type="datetime-local">` for an instant, to the minute. */
export function toLocalInput(instant: number, zone: string): string {
  const wall = toWall(instant, zone)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(wall.year).padStart(4, '0')}-${two(wall.month)}-${two(wall.day)}T${two(wall.hour)}:${two(wall.minute)}`
}

export function fromLocalInput(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(text)
  if (!match) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number)
  return fromWall({ year, month, day, hour, minute, second: 0 }, zone)
}
