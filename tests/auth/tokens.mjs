// Bearer tokens in the shapes that identity providers document, signed by `jose`.

import * as jose from 'jose'

/** The algorithms that a hub may be told to accept, with the curve of a key where there is one. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'HS256']

/** A new key pair (or secret) of an algorithm: what signs, and its JWK for those who verify. */
export async function keyFor(algorithm, kid) {
  if (algorithm.startsWith('HS')) {
    const secret = new TextEncoder().encode('not-a-secret-'.repeat(3))
    return {
      algorithm,
      kid,
      signs: secret,
      jwk: { ...(await jose.exportJWK(secret)), kid, alg: algorithm },
    }
  }
  const { privateKey, publicKey } = await jose.generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await jose.exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
  return { algorithm, kid, signs: privateKey, jwk }
}

/** Signs claims as they are. */
export const sign = (key, claims, header = {}) =>
  new jose.SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.signs)

/** Claims by the documentation of their provider; `times` holds `iat`, `nbf` and `exp`. */
export const SHAPES = {
  clerkV1: ({ iat, nbf, exp }) => ({
    azp: 'https://app.example.com',
    exp,
    fva: [0, -1],
    iat,
    iss: 'https://clerk.example.com',
    nbf,
    org_id: 'org_2example',
    org_permissions: ['org:sys_profile:manage'],
    org_role: 'org:admin',
    org_slug: 'example',
    sid: 'sess_2example',
    sub: 'user_2example',
  }),
  clerkV2: ({ iat, nbf, exp }) => ({
    azp: 'https://app.example.com',
    exp,
    fea: 'o:dashboard,o:impersonation',
    fva: [0, -1],
    iat,
    iss: 'https://clerk.example.com',
    jti: 'f5a9c3d7e1b2',
    nbf,
    o: { id: 'org_2example', slg: 'example', rol: 'admin', per: 'manage,read', fpm: '3,2' },
    pla: 'u:free',
    sid: 'sess_2example',
    sts: 'active',
    sub: 'user_2example',
    v: 2,
  }),
  auth0: ({ iat, exp }) => ({
    'https://app.example.com/roles': ['admin', 'editor'],
    iss: 'https://example.eu.auth0.com/',
    sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
    aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
    iat,
    exp,
    azp: 'my_client_id',
    scope: 'openid profile read:events',
    permissions: ['read:events'],
  }),
  supabase: ({ iat, exp }) => ({
    iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
    sub: '123e4567-e89b-12d3-a456-426614174000',
    aud: 'authenticated',
    exp,
    iat,
    email: 'user@example.com',
    phone: '',
    app_metadata: { provider: 'email', providers: ['email'], roles: ['admin'] },
    user_metadata: {},
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: iat }],
    session_id: '123e4567-e89b-12d3-a456-426614174001',
    is_anonymous: false,
  }),
  keycloak: ({ iat, exp }) => ({
    exp,
    iat,
    jti: 'onrtac:c2f0d9a8-57f7-4f2b-9c0e-4a4f0e2b8a11',
    iss: 'https://id.example.com/realms/example',
    aud: 'account',
    sub: 'f3b0c1de-0d0f-4c61-9e1f-0f7a8f2d2b11',
    typ: 'Bearer',
    azp: 'web',
    sid: '7a0b2a5e-8f6c-4c6a-9a58-2c5a1a1f3a11',
    acr: '1',
    'allowed-origins': ['https://app.example.com'],
    realm_access: { roles: ['offline_access', 'editor'] },
    resource_access: { web: { roles: ['admin'] }, account: { roles: ['view-profile'] } },
    scope: 'openid email profile',
    email_verified: true,
    preferred_username: 'user',
  }),
  cognito: ({ iat, exp }) => ({
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:groups': ['admin', 'editor'],
    iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example',
    version: 2,
    client_id: '57cbishk4j24pabc1234567890',
    origin_jti: 'a9f6a5b0-4b5f-4d5c-8b8e-000000000001',
    event_id: 'a9f6a5b0-4b5f-4d5c-8b8e-000000000002',
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: iat,
    exp,
    iat,
    jti: 'a9f6a5b0-4b5f-4d5c-8b8e-000000000003',
    username: 'user',
  }),
}

/** Header members that a provider adds. */
export const HEADERS = {
  clerkV1: { cat: 'cl_B7d4PD111AAA' },
  clerkV2: { cat: 'cl_B7d4PD222AAA' },
}
