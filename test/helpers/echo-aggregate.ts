import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'

/** Declares an aggregate that replies with its name and its path parameters, in the order of its template. */
export function echoAggregate(
  name: string,
  url: string,
  method: AnyAggregate['route']['method'] = 'GET',
): AnyAggregate {
  const names = Array.from(url.matchAll(/\{(\w+)\}/g), match => match[1] as string)
  const declare = aggregate as unknown as (name: string, options: object) => ReturnType<typeof aggregate>
  return declare(name, {
    url,
    method,
    envelope: false,
    ...(names.length > 0 && { params: z.looseObject(Object.fromEntries(names.map(each => [each, z.string()]))) }),
  }).reply(z.unknown(), ({ params }: { params?: unknown }) => [name, ...Object.values(params ?? {})])
}
