# Client for DMS Connect: gets access tokens for a script from the broker on this computer. For Windows PowerShell 5.1 and
# PowerShell 7. The protocol is spoken by DmsConnect.cs, which is compiled when the module is loaded: it must lie beside this
# file, or in ../csharp.
#
# Invariant: whatever fails is thrown as one terminating error, whose exception is a DmsConnect.DmsConnectException with Code,
# Message, Remedy, Retryable and RetryAfterSeconds, or says that the file system refused. No error holds a token or the key.

Set-StrictMode -Version 2.0

if (-not ('DmsConnect.Client' -as [type])) {
    $source = @((Join-Path $PSScriptRoot 'DmsConnect.cs'), (Join-Path $PSScriptRoot '../csharp/DmsConnect.cs')) |
        Where-Object { Test-Path -LiteralPath $_ } |
        Select-Object -First 1
    if (-not $source) { throw 'DmsConnect.cs is missing: copy it beside DmsConnect.psm1.' }
    # PowerShell 7 refers to all of .NET by itself; Windows PowerShell to very little.
    $references = @{}
    if ($PSVersionTable.PSVersion.Major -lt 6) { $references = @{ ReferencedAssemblies = @('System', 'System.Core') } }
    Add-Type -Path $source -IgnoreWarnings @references
}

# One client for each credentials file, so that all calls of a script share a session.
$script:clients = @{}
$script:timeout = [DmsConnect.Client]::DefaultTimeout

<#
.SYNOPSIS
Asks the person to approve this script, shows the six-digit code, and stores the credentials for this user alone.
#>
function Register-DmsConnectProgram {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [string] $Name,
        [string] $Publisher,
        [string] $Reason,
        [string] $CredentialsFile = (Get-DefaultCredentialsFile),
        # Shows the code; called with the code and the seconds it is good for.
        [scriptblock] $ShowCode = { param($code, $seconds) Write-Host "Code: $code. Compare it with DMS Connect's window and approve within $seconds seconds." }
    )
    $client = [DmsConnect.Client]::new($null, $null, $script:timeout)
    try {
        $pairing = Wait-Answer { $client.RequestPairingAsync($Name, $Publisher, $Reason) }
        try {
            & $ShowCode $pairing.Code $pairing.ExpiresInSeconds
            $credentials = Wait-Answer { $pairing.WaitAsync() }
        } finally {
            $pairing.Dispose()
        }
        $credentials.Store((Get-FullPath $CredentialsFile))
    } catch {
        Stop-WithCause $PSCmdlet $_
    } finally {
        $client.Dispose()
    }
    Disconnect-DmsConnect
}

<#
.SYNOPSIS
A valid token of this user: send all of its Headers with the API call. Cheap: ask before each call.
#>
function Get-DmsConnectToken {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Provider,
        [Parameter(Mandatory = $true, Position = 1)] [string] $User,
        [string] $Environment,
        [string] $Organisation,
        [Nullable[int]] $MinValiditySeconds,
        [string] $CredentialsFile = (Get-DefaultCredentialsFile)
    )
    try {
        $client = Get-Client $CredentialsFile
        $selector = [DmsConnect.Selector]::new($Provider, $User, $Environment)
        Wait-Answer { $client.TokenAsync($selector, $Organisation, $MinValiditySeconds) }
    } catch {
        Stop-WithCause $PSCmdlet $_
    }
}

<#
.SYNOPSIS
Reports that the API answered 401 (not 403) to this token, and gives another one: repeat the API call once with it.
#>
function Deny-DmsConnectToken {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)] [string] $Provider,
        [Parameter(Mandatory = $true, Position = 1)] [string] $User,
        [Parameter(Mandatory = $true, Position = 2)] [string] $TokenId,
        [string] $Environment,
        [string] $Organisation,
        [string] $CredentialsFile = (Get-DefaultCredentialsFile)
    )
    try {
        $client = Get-Client $CredentialsFile
        $selector = [DmsConnect.Selector]::new($Provider, $User, $Environment)
        Wait-Answer { $client.TokenRejectedAsync($selector, $TokenId, $Organisation) }
    } catch {
        Stop-WithCause $PSCmdlet $_
    }
}

<#
.SYNOPSIS
The connections that this script may use, and what they need.
#>
function Get-DmsConnectConnection {
    [CmdletBinding()]
    param([string] $CredentialsFile = (Get-DefaultCredentialsFile))
    try {
        $client = Get-Client $CredentialsFile
        foreach ($connection in (Wait-Answer { $client.ConnectionsAsync() })) { New-Object psobject -Property $connection }
    } catch {
        Stop-WithCause $PSCmdlet $_
    }
}

<#
.SYNOPSIS
How long to wait for each answer, for calls after this one. The document asks for at least 60 seconds.
#>
function Set-DmsConnectTimeout {
    [CmdletBinding()]
    param([Parameter(Mandatory = $true, Position = 0)] [double] $Seconds)
    Disconnect-DmsConnect
    $script:timeout = [TimeSpan]::FromSeconds($Seconds)
}

<#
.SYNOPSIS
Ends the session. The next call opens a new one.
#>
function Disconnect-DmsConnect {
    [CmdletBinding()]
    param()
    foreach ($client in @($script:clients.Values)) { $client.Dispose() }
    $script:clients.Clear()
}

function Get-Client([string] $CredentialsFile) {
    $path = Get-FullPath $CredentialsFile
    if (-not $script:clients.ContainsKey($path)) {
        $credentials = [DmsConnect.Credentials]::Load($path)
        $script:clients[$path] = [DmsConnect.Client]::new($credentials, $null, $script:timeout)
    }
    $script:clients[$path]
}

function Get-DefaultCredentialsFile {
    if ($env:DMS_CONNECT_CREDENTIALS) { return $env:DMS_CONNECT_CREDENTIALS }
    Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) 'dms-connect-powershell/credentials.json'
}

# .NET's current folder is not PowerShell's.
function Get-FullPath([string] $Path) {
    $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

function Wait-Answer([scriptblock] $Start) {
    $task = & $Start
    # In short waits, so that Ctrl+C works meanwhile.
    while ([System.Threading.Tasks.Task]::WaitAny([System.Threading.Tasks.Task[]] @($task), 200) -lt 0) { }
    $task.GetAwaiter().GetResult()
}

# What .NET throws arrives wrapped; the caller wants the cause, and its word as the error's id.
function Stop-WithCause($Cmdlet, $Caught) {
    $cause = $Caught.Exception
    while ($cause.InnerException -and $cause -isnot [DmsConnect.DmsConnectException]) { $cause = $cause.InnerException }
    $id = 'DmsConnectError'
    if ($cause -is [DmsConnect.DmsConnectException]) { $id = $cause.Code }
    $category = [System.Management.Automation.ErrorCategory]::NotSpecified
    $Cmdlet.ThrowTerminatingError([System.Management.Automation.ErrorRecord]::new($cause, $id, $category, $null))
}

Export-ModuleMember -Function @(
    'Register-DmsConnectProgram', 'Get-DmsConnectToken', 'Deny-DmsConnectToken', 'Get-DmsConnectConnection', 'Set-DmsConnectTimeout', 'Disconnect-DmsConnect'
)
