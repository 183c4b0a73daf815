import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useRef } from 'react'

interface PopoverProps {
  label: ReactNode
  /** the button's name where its label is not words */
  name?: string
  className?: string
  children: ReactNode
}

/** A button that opens a small panel below itself; Escape or a click elsewhere closes it and gives the focus back. */
export function Popover({ label, name, className = '', children }: PopoverProps) {
  const ref = useRef<HTMLDetailsElement>(null)

  useEffect(() => {
    const closeOutside = (event: PointerEvent) => {
      if (ref.current?.open && event.target instanceof Node && !ref.current.contains(event.target)) {
        ref.current.open = false
      }
    }
    document.addEventListener('pointerdown', closeOutside)
    return () => document.removeEventListener('pointerdown', closeOutside)
  }, [])

  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !ref.current?.open) return
    event.stopPropagation()
    ref.current.open = false
    ref.current.querySelector('summary')?.focus()
  }

  const closeOnLeaving = (event: MouseEvent) => {
    if (ref.current && event.target instanceof Element && event.target.closest('a')) ref.current.open = false
  }

  return (
    <details ref={ref} className={`popover ${className}`} onKeyDown={closeOnEscape} onClick={closeOnLeaving}>
      <summary aria-label={name}>{label}</summary>
      <div className="popover-panel">{children}</div>
    </details>
  )
}
