using System.CommandLine;
using Commerce.Demo;

var ready = new Option<FileInfo?>("--ready-file") { Description = "Write addresses and accounts to this file (JSON) once everything answers." };
var ports = new Option<int>("--port-base") { Description = "First of four ports in a row.", DefaultValueFactory = _ => 5000 };
var data = new Option<DirectoryInfo>("--data") { Description = "Folder for everything the demo keeps.", DefaultValueFactory = _ => new DirectoryInfo("data/demo") };
var reset = new Option<bool>("--reset") { Description = "Forget what an earlier demo on these ports kept, and begin anew." };
var noBrowser = new Option<bool>("--no-browser") { Description = "Do not open the shop in the default browser." };
ports.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 1024 or > 65532) result.AddError("--port-base is a number from 1024 to 65532.");
});

var command = new RootCommand("The whole journey on one machine: the hub, a shop, a tire fitter (SAML) and a fuel site (OpenID Connect).") { ready, ports, data, reset, noBrowser };
command.SetAction((parsed, stop) => DemoRun.RunAsync(new DemoOptions(
    new Addresses(parsed.GetValue(ports)), parsed.GetValue(data)!, parsed.GetValue(ready), parsed.GetValue(reset), !parsed.GetValue(noBrowser)), stop));
return await command.Parse(args).InvokeAsync();
