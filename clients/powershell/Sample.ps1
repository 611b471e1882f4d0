# A small script: pairs, and gets tokens. It speaks the commands of clients/conformance.md. A real script does not print
# tokens: it calls Invoke-RestMethod -Headers $token.Headers.
#
#   Sample.ps1 pair NAME               shows the code, waits for approval, stores the credentials
#   Sample.ps1 token PROVIDER USER     prints an access token, and nothing else
#   Sample.ps1 rejected PROVIDER USER  reports that token as refused by the API, prints the new one
#   Sample.ps1 session                 reads "PROVIDER USER" lines, prints "USER ok TOKEN" or "USER error WORD"
#
# The credentials are kept in the file DMS_CONNECT_CREDENTIALS, else below the user's local application data.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'DmsConnect.psm1')

$words = @($args)
$utf8 = New-Object System.Text.UTF8Encoding -ArgumentList $false
# PowerShell's own output cuts lines and colours them; the console's may not know every letter of a name.
$output = New-Object System.IO.StreamWriter -ArgumentList @([Console]::OpenStandardOutput(), $utf8)
$errors = New-Object System.IO.StreamWriter -ArgumentList @([Console]::OpenStandardError(), $utf8)
$output.AutoFlush = $true
$errors.AutoFlush = $true

function Show-Failure($failure) {
    $exception = $failure.Exception
    if ($exception -isnot [DmsConnect.DmsConnectException]) {
        $errors.WriteLine('sample: ' + $exception.Message)
        return
    }
    $errors.WriteLine('sample: ' + $exception.Message + ' ' + $exception.Remedy + ' [' + $exception.Code + ']')
    if ($null -ne $exception.RetryAfterSeconds) { $errors.WriteLine('Try again in ' + $exception.RetryAfterSeconds + ' seconds.') }
}

function Invoke-Session {
    $reader = New-Object System.IO.StreamReader -ArgumentList @([Console]::OpenStandardInput(), $utf8)
    for ($line = $reader.ReadLine(); $null -ne $line; $line = $reader.ReadLine()) {
        $provider, $user = $line.Trim() -split ' ', 2
        try {
            $output.WriteLine($user + ' ok ' + (Get-DmsConnectToken $provider $user).AccessToken)
        } catch {
            Show-Failure $_
            $output.WriteLine($user + ' error ' + ($_.FullyQualifiedErrorId -split ',')[0])
        }
    }
}

$command = ''
if ($words.Count -gt 0) { $command = [string] $words[0] }
if ($env:DMS_CONNECT_TIMEOUT_SECONDS) { Set-DmsConnectTimeout ([double] $env:DMS_CONNECT_TIMEOUT_SECONDS) }
try {
    switch ("$command $($words.Count)") {
        'pair 2' {
            $showCode = { param($code, $seconds) $errors.WriteLine("Code: $code. Compare it with DMS Connect's window and approve within $seconds seconds.") }
            Register-DmsConnectProgram -Name $words[1] -Reason 'Sample script' -ShowCode $showCode
            $errors.WriteLine('Paired.')
        }
        'token 3' {
            $output.WriteLine((Get-DmsConnectToken $words[1] $words[2]).AccessToken)
        }
        'rejected 3' {
            $refused = Get-DmsConnectToken $words[1] $words[2]
            $output.WriteLine((Deny-DmsConnectToken $words[1] $words[2] $refused.TokenId).AccessToken)
        }
        'session 1' { Invoke-Session }
        default {
            $errors.WriteLine('usage: Sample.ps1 pair NAME | token PROVIDER USER | rejected PROVIDER USER | session')
            exit 2
        }
    }
} catch {
    Show-Failure $_
    exit 1
} finally {
    Disconnect-DmsConnect
}
exit 0
