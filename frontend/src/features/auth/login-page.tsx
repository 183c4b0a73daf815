import { useRouter } from '@tanstack/react-router'
import { type FormEvent, useEffect } from 'react'
import { ApiError } from '../../api/problem'
import { useLogin } from './queries'

/** One text for an unknown user, a wrong password and a disabled account: which of them it is, nobody outside learns. */
function loginError(error: Error): string {
  const refused = error instanceof ApiError && [400, 401, 403, 422].includes(error.status)
  return refused ? 'Email or password is wrong.' : error.message
}

export function LoginPage({ redirect }: { redirect: string }) {
  const router = useRouter()
  const login = useLogin()

  useEffect(() => {
    document.title = 'Sign in · Dwellstream'
  }, [])

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const credentials = { email: String(form.get('email')), password: String(form.get('password')) }
    login.mutate(credentials, { onSuccess: () => router.history.replace(redirect) })
  }

  return (
    <main className="login">
      <form className="panel login-form" onSubmit={submit}>
        <h1>Dwellstream</h1>
        <p className="quiet">People flow, live.</p>
        <label>
          Email
          <input name="email" type="email" autoComplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <p role="alert" className="form-error">
          {login.isError && loginError(login.error)}
        </p>
        <button type="submit" className="primary" disabled={login.isPending}>
          {login.isPending ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
