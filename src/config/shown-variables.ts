import { cut } from '../log/cut.ts'
import { hidden } from '../log/redaction.ts'
import { shownRedisUrl } from '../redis-config.ts'
import { Environment, parseEnvironment } from './environment.ts'

/** Returns the value of a variable of Redis for the log. Its options can have a password at any place. */
function shownRedis(name: string, value: string): string {
  if (name === 'HEADWATERS_REDIS_URL' || name === 'HEADWATERS_BULK_URL') return shownRedisUrl(value, hidden)
  return name === 'HEADWATERS_REDIS_OPTIONS' && !value.startsWith('@') ? hidden : value
}

/** The last word of the name of a variable that holds a secret. */
const secretWords = ['KEY', 'KEYS', 'PASSWORD', 'SECRET', 'TOKEN']

/**
 * Returns the values of the variables of `Environment` for the log. A secret that is set is redacted, and a long text
 * is cut.
 *
 * @param environment - A valid environment.
 */
export function shownVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const data = parseEnvironment(environment).data as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.keys(Environment.shape).map(name => {
      const value = data[name]
      const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
      if (!isEmpty && secretWords.includes(name.slice(name.lastIndexOf('_') + 1))) return [name, hidden]
      return [name, typeof value === 'string' ? cut(isEmpty ? value : shownRedis(name, value)) : (value ?? '')]
    }),
  )
}
