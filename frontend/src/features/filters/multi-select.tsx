import { Popover } from '../../ui/popover'

interface MultiSelectProps {
  label: string
  options: readonly { value: string; label: string }[]
  chosen: readonly string[] | undefined
  onChange: (chosen: string[] | undefined) => void
}

/** Nothing chosen means all. A chosen value that is no option any more stays visible, so that it can be taken away. */
export function MultiSelect({ label, options, chosen = [], onChange }: MultiSelectProps) {
  const gone = chosen.filter((value) => !options.some((option) => option.value === value))
  const all = [...options, ...gone.map((value) => ({ value, label: value }))]

  const toggle = (value: string) => {
    const next = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]
    onChange(next.length > 0 ? next : undefined)
  }

  return (
    <Popover label={chosen.length > 0 ? `${label} · ${chosen.length}` : label} className="select">
      <fieldset className="checks">
        <legend>{label}</legend>
        {all.length === 0 && <p className="quiet">None yet.</p>}
        {all.map((option) => (
          <label key={option.value}>
            <input type="checkbox" checked={chosen.includes(option.value)} onChange={() => toggle(option.value)} />
            {option.label}
          </label>
        ))}
      </fieldset>
    </Popover>
  )
}
