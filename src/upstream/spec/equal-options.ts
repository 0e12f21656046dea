import { Secret } from './secret.ts'

/**
 * Returns true if two values of options are equal. Plain objects and lists are compared by their content, references to
 * environment variables by the name of the variable, and everything else by identity: functions, schemas, instances.
 */
export function equalOptions(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const prototype: unknown = Object.getPrototypeOf(one)
  if (prototype !== Object.getPrototypeOf(other)) return false
  if (one instanceof Secret) return one.variable === (other as Secret).variable
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every(name => Object.hasOwn(other, name) && equalOptions(valueOf(one, name), valueOf(other, name)))
  )
}

function valueOf(options: object, name: string): unknown {
  return (options as Readonly<Record<string, unknown>>)[name]
}
