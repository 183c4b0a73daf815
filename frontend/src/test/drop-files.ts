import { screen, within } from '@testing-library/react'
import { openApp } from './open-app'

export const file = (name: string) => new File(['a,b'], name, { type: 'text/csv' })
export const large = (name: string) => Object.defineProperty(file(name), 'size', { value: 6_000_000 }) as File

const FILES = 'Files of this visit'

/** Opens the uploads page and chooses the files; `list` is what it shows of them. */
export async function drop(...files: File[]) {
  const { user, ...app } = openApp('/uploads')
  await user.upload(await screen.findByLabelText('Choose files'), files)
  return { user, ...app, list: within(await screen.findByRole('list', { name: FILES })) }
}
