/** The address bar is the state: these read and write it. A value that makes no sense is dropped and named, never guessed. */

import { isPreset, type Preset } from './time-range'
import { isTimeZone } from './zone'

/** What the pages that show data have in common; names and meanings are those of the HTTP interface. */
export interface Filters {
  range?: Preset | undefined
  from?: string | undefined
  to?: string | undefined
  tz?: string | undefined
  camera_id?: string[] | undefined
  age_group?: string[] | undefined
  gender?: string[] | undefined
  min_dwell?: number | undefined
  max_dwell?: number | undefined
}

export type RawSearch = Record<string, unknown>

export const LIST_FILTERS = ['camera_id', 'age_group', 'gender'] as const

export function parseSearch(text: string): RawSearch {
  const search: Record<string, string | string[]> = {}
  for (const [key, value] of new URLSearchParams(text)) {
    const before = search[key]
    search[key] = before === undefined ? value : [before, value].flat()
  }
  return search
}

export function stringifySearch(search: RawSearch): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === '') continue
    for (const item of Array.isArray(value) ? value : [value]) params.append(key, String(item))
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}

export function readList(value: unknown): string[] | undefined {
  const items = (Array.isArray(value) ? value : [value]).filter((item): item is string => {
    return typeof item === 'string' && item !== ''
  })
  return items.length > 0 ? [...new Set(items)] : undefined
}

export function readChoice<T extends string>(value: unknown, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === value)
}

function readInstant(value: unknown): string | undefined {
  return typeof value === 'string' &&
    /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(value) &&
    !Number.isNaN(Date.parse(value))
    ? value
    : undefined
}

function readSeconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

export function readFilters(raw: RawSearch): { filters: Filters; ignored: string[] } {
  const filters: Filters = {
    range: isPreset(raw.range) ? raw.range : undefined,
    from: readInstant(raw.from),
    to: readInstant(raw.to),
    tz: typeof raw.tz === 'string' && isTimeZone(raw.tz) ? raw.tz : undefined,
    camera_id: readList(raw.camera_id),
    age_group: readList(raw.age_group),
    gender: readList(raw.gender),
    min_dwell: readSeconds(raw.min_dwell),
    max_dwell: readSeconds(raw.max_dwell),
  }
  if (!filters.from || !filters.to || Date.parse(filters.from) >= Date.parse(filters.to)) {
    filters.from = undefined
    filters.to = undefined
  }
  if (filters.min_dwell !== undefined && filters.max_dwell !== undefined && filters.min_dwell > filters.max_dwell) {
    filters.max_dwell = undefined
  }
  const ignored = Object.keys(filters).filter((key) => {
    const given = raw[key]
    return given !== undefined && given !== '' && filters[key as keyof Filters] === undefined
  })
  return { filters, ignored }
}

/** Filters narrow what is shown; range and zone only place it. */
export function isFiltered(filters: Filters): boolean {
  return (
    LIST_FILTERS.some((key) => filters[key]?.length) ||
    filters.min_dwell !== undefined ||
    filters.max_dwell !== undefined
  )
}

export const NO_FILTERS: Filters = {
  camera_id: undefined,
  age_group: undefined,
  gender: undefined,
  min_dwell: undefined,
  max_dwell: undefined,
}

/** A path inside this application, or `/`: an address given from outside must not lead away after signing in. */
export function safeRedirect(target: unknown): string {
  return typeof target === 'string' && /^\/(?![/\\])/.test(target) ? target : '/'
}

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
