const PATHS = {
  overview: 'M3 12h4l3-8 4 16 3-8h4',
  alerts: 'M6 9a6 6 0 1 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20h4',
  insights: 'M4 19V9m5 10V5m5 14v-7m5 7V8',
  sessions: 'M4 6h16M4 12h16M4 18h16',
  uploads: 'M12 16V4m0 0L7 9m5-5 5 5M4 20h16',
  quarantine: 'M12 3 2.5 20h19ZM12 10v4m0 3v.5',
  sources: 'M4 8h11v9H4Zm11 3 5-3v9l-5-3',
  theme: 'M12 3a9 9 0 1 0 0 18Zm0 0a9 9 0 0 1 0 18',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M5 12.5 10 17.5 19 7',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3 2',
  forward: 'M5 6l7 6-7 6Zm8 0 7 6-7 6Z',
  pause: 'M8 5v14M16 5v14',
  retry: 'M20 12a8 8 0 1 1-2.5-5.8M18 3v4h-4',
  unknown: 'M9 9a3 3 0 1 1 3 3.5V14m0 4v.5',
  info: 'M12 11v6m0-10v.5',
} as const

export type IconName = keyof typeof PATHS

/** Decoration beside a word, or inside a control that has a name of its own. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
