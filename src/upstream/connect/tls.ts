import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { TlsOptions } from '../spec/access-options.ts'
import { Secret } from '../spec/secret.ts'
import type { VariableReader } from '../spec/variables.ts'

/** Reads the certificates and the key once for all connections. */
export function readTls({ ca, cert, key }: TlsOptions, reader: VariableReader): SecureContext | undefined {
  const pems = {
    ca: ca && readPem(ca, 'tls.ca', reader),
    cert: cert && readPem(cert, 'tls.cert', reader),
    key: key && readPem(key, 'tls.key', reader),
  }
  if (Object.values(pems).includes('')) return undefined
  try {
    // OpenSSL ignores a certificate that it cannot read. It would then trust no server.
    for (const pem of [pems.ca, pems.cert]) if (pem !== undefined) new X509Certificate(pem)
    return createSecureContext({ ...pems, minVersion: 'TLSv1.2' })
  } catch (error) {
    reader.fault(`upstream '${reader.upstream}'`, `its option tls is invalid: ${(error as Error).message}`)
    return undefined
  }
}

/** Returns the PEM of a variable, or of the file whose path the variable contains; an empty string if both fail. */
function readPem(source: string | Secret, option: string, reader: VariableReader): string {
  const given = reader.read(source, option)
  if (!(source instanceof Secret) || given === '' || given.startsWith('-----BEGIN ')) return given
  reader.onFile(given)
  try {
    const pem = readFileSync(given, 'utf8')
    reader.inputs.push(pem)
    return pem
  } catch {
    reader.fault(
      source.variable,
      'must be PEM or the path of a readable file: upstream ' + `'${reader.upstream}' needs it for ${option}`,
    )
    return ''
  }
}
