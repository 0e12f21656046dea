import type { Secret } from './secret.ts'

/** How calls get a token by OAuth 2.0 client credentials (RFC 6749, section 4.4). */
export interface OAuth2Options {
  /** Where tokens are had; one from the environment is trusted, as an origin from there is. */
  readonly tokenUrl: string | Secret
  /** The client identifier. */
  readonly clientId: string | Secret
  /** The client secret. */
  readonly clientSecret: Secret
  /** The scope that is requested. @default no scope */
  readonly scope?: string
  /** Whether client and secret go out as an `authorization` header or in the body. @default 'header' */
  readonly send?: 'header' | 'body'
}

/** What every call says of who asks. The secret itself is never written down: it is what `env('NAME')` names. */
export type AuthOptions =
  | { readonly bearer: Secret }
  | { readonly header: string; readonly secret: Secret }
  | { readonly query: string; readonly secret: Secret }
  | { readonly oauth2: OAuth2Options }

/** What TLS to an upstream goes by. A variable holds PEM itself, or the path of a file that does. */
export interface TlsOptions {
  /** The trusted certificates, as PEM. @default the certificates of the system */
  readonly ca?: string | Secret
  /** The client certificate, as PEM; needs `key`. @default no client certificate */
  readonly cert?: string | Secret
  /** The private key of the client certificate, as PEM; needs `cert`. @default no key */
  readonly key?: Secret
  /** The name that the upstream's certificate must be for. @default that of the origin */
  readonly servername?: string
}

/** What `defineUpstream` takes of how an upstream is reached, and who asks. */
export interface AccessOptions {
  /** Whether only public addresses are dialled, on every dial; an origin from outside is trusted. @default false */
  readonly publicOnly?: boolean
  /** What every call says of who asks. @default nothing */
  readonly auth?: AuthOptions
  /** Certificates for TLS. @default the certificates of the system, and no client certificate */
  readonly tls?: TlsOptions
  /**
   * The `http:` proxy that calls go through: its URL, or `true` for what `HTTPS_PROXY` or `HTTP_PROXY` says; but for
   * what `NO_PROXY` names.
   * @default none
   */
  readonly proxy?: true | string | Secret
}
