import { skip, type Skip } from '../../src/fanout/aggregate.ts'
import type { Call } from '../../src/upstream/declare.ts'
import { upstream, type Breed, type Fact } from './clients.ts'

export const version = 3
export function named({ found, query }: { readonly found: Breed; readonly query: { readonly count: number } }): {
  name: string
} {
  return { name: found.name.repeat(query.count) }
}
export async function sum(a: number, b = 1, ...more: readonly number[]): Promise<number> {
  return Promise.resolve(more.reduce((all, each) => all + each, a + b))
}
export function lengths(names: string[]): number[] {
  return names.map(name => name.length)
}
export function signalled({ signal }: { readonly signal: AbortSignal }): boolean {
  return signal.aborted
}
export function anything(given: Readonly<Record<string, unknown>>): unknown {
  return given
}
export function asking(): Call<Fact> {
  return upstream.fact()
}
export function askingAll(): Call<Fact>[] {
  return [upstream.fact()]
}
export async function skipping(yes: boolean): Promise<number | Skip> {
  return Promise.resolve(yes ? skip : 1)
}
export async function answered({ ask }: { readonly ask: (call: Call<Fact>) => Promise<Fact> }): Promise<Fact> {
  return ask(upstream.fact())
}
