import type { OAuth2Options } from './access-options.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkObject } from '../../core/option-values.ts'
import { checkSecret, Secret } from './secret.ts'
import { privateFault, tokenUrlFault } from './url-faults.ts'

const oauth2Options: OptionKeys<OAuth2Options> = {
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  scope: true,
  audience: true,
  parameters: true,
  send: true,
}

/** Parameters of a token request that are not further ones, with the fix for each. */
const fixes: ReadonlyMap<string, string> = new Map([
  ['grant_type', ', which is always client_credentials: remove it'],
  ['scope', ': use the option scope'],
  ['audience', ': use the option audience'],
  ['client_id', ': use the option clientId'],
  ['client_secret', ': use the option clientSecret'],
])

/** Checks the options of `auth.oauth2`. Throws a `TypeError` without any value that may be a secret. */
export function checkOAuth2(owner: string, options: OAuth2Options, publicOnly: boolean): void {
  rejectUnknownOptions(owner, options, oauth2Options, { group: 'auth.oauth2' })
  const { tokenUrl, clientId, clientSecret, scope = 'none', audience, parameters, send = 'header' } = options
  checkSecret(owner, 'auth.oauth2.clientSecret', clientSecret)
  if (!(clientId instanceof Secret) && (typeof clientId !== 'string' || clientId === ''))
    throw new TypeError(`${owner}: auth.oauth2.clientId must be a string, or env('NAME')`)
  if (typeof scope !== 'string')
    throw new TypeError(`${owner}: auth.oauth2.scope must be a string, with spaces between several`)
  if (audience !== undefined) checkValue(owner, 'auth.oauth2.audience', audience)
  if (parameters !== undefined) checkParameters(owner, parameters)
  if (send !== 'header' && send !== 'body') throw new TypeError(`${owner}: auth.oauth2.send must be 'header' or 'body'`)
  if (tokenUrl instanceof Secret) return
  const fault = tokenUrlFault(tokenUrl)
  if (fault !== undefined) throw new TypeError(`${owner}: auth.oauth2.tokenUrl ${fault}`)
  const addressFault = publicOnly ? privateFault(tokenUrl) : undefined
  if (addressFault !== undefined) throw new TypeError(`${owner}: its auth.oauth2.tokenUrl ${addressFault}`)
}

function checkParameters(owner: string, parameters: Readonly<Record<string, unknown>>): void {
  const option = 'auth.oauth2.parameters'
  checkObject(owner, option, parameters, "{ resource: 'https://api.example.com' }")
  for (const [name, value] of Object.entries(parameters)) {
    const fix = fixes.get(name)
    if (fix !== undefined) throw new TypeError(`${owner}: ${option} sets '${name}'${fix}`)
    if (name === '')
      throw new TypeError(`${owner}: ${option} has a parameter without a name: write its name, for example 'resource'`)
    checkValue(owner, `${option}.${name}`, value)
  }
}

/** Refuses an empty string too, because an empty parameter counts as omitted (RFC 6749, section 3.2). */
function checkValue(owner: string, option: string, value: unknown): void {
  if (value instanceof Secret || (typeof value === 'string' && value !== '')) return
  throw new TypeError(`${owner}: ${option} must be a string that is not empty, or env('NAME')`)
}
