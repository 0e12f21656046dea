import type { Breed } from './clients.ts'

export const version = 3
export function nameOf({ found }: { readonly found: Breed }): { name: string } {
  return { name: found.name }
}
