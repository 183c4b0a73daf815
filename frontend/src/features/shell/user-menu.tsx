import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { Popover } from '../../ui/popover'
import { useLogout, useMe } from '../auth/queries'

export function UserMenu() {
  const me = useMe()
  const router = useRouter()
  const client = useQueryClient()
  const logout = useLogout()

  const signOut = () => {
    logout.mutate(undefined, {
      onSuccess: async () => {
        await router.navigate({ to: '/login' })
        client.clear()
      },
    })
  }

  return (
    <Popover label={me.email.slice(0, 1).toUpperCase()} name={`Account: ${me.email}`} className="user">
      <p>
        {me.email}
        <br />
        <span className="quiet">{me.role}</span>
      </p>
      <button type="button" disabled={logout.isPending} onClick={signOut}>
        Sign out
      </button>
      {logout.isError && <p role="alert">{logout.error.message}</p>}
    </Popover>
  )
}
