import type { ReactNode } from 'react'

/** A long table in a box of its own, which the keyboard can reach to scroll it. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus.
    <section className="scroll-box" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
