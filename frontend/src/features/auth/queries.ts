import { queryOptions, useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { api, unwrap } from '../../api/client'
import type { Role, User } from '../../api/types'

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => unwrap(api.GET('/api/v1/auth/me', { signal })),
  staleTime: 5 * 60_000,
})

const RANK: Record<Role, number> = { viewer: 0, operator: 1, analyst: 2, admin: 3 }

export function hasRole(user: User, least: Role): boolean {
  return RANK[user.role] >= RANK[least]
}

/** Who is signed in; the routes under the shell are not entered before it is known. */
export function useMe(): User {
  return useSuspenseQuery(meQuery).data
}

export function useLogin() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { email: string; password: string }) => unwrap(api.POST('/api/v1/auth/login', { body })),
    onSuccess: () => client.clear(),
  })
}

export function useLogout() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/auth/logout')) })
}
